/** A server in memory that knows ranges and misbehaves on order, as `fetch`. */

const PIECE = 40;

/** Each makes of a right answer the one that is given; `plan` is { status, headers, body, total, start, stall, fail }. */
const FAULTS = {
  'name not resolved': () => { throw new TypeError('net::ERR_NAME_NOT_RESOLVED'); },
  'connection refused': () => { throw new TypeError('net::ERR_CONNECTION_REFUSED'); },
  'network changed': () => { throw new TypeError('net::ERR_NETWORK_CHANGED'); },
  'no answer': (plan) => { plan.silent = true; },
  'reset in the body': (plan) => { plan.resetAt = plan.body.length >> 1; },
  'reset at the start': (plan) => { plan.resetAt = 0; },
  'stalled in the body': (plan) => { plan.stallAt = plan.body.length >> 1; },
  'cut without notice': (plan) => { plan.body = plan.body.subarray(0, plan.body.length * 2 / 3); },
  'empty body': (plan) => { plan.body = new Uint8Array(); },
  'bytes too many': (plan) => { plan.body = Uint8Array.from([...plan.body, 1, 2, 3]); },
  'whole file instead of a range': (plan) => Object.assign(plan, { status: 200, body: plan.file, range: null }),
  'another range': (plan) => { plan.range = `bytes ${plan.start + 1}-${plan.start + plan.body.length}/${plan.file.length}`; plan.status = 206; },
  'range not satisfiable': (plan) => Object.assign(plan, { status: 416, body: new Uint8Array() }),
  'too many requests': (plan) => Object.assign(plan, { status: 429, body: new Uint8Array(), retryAfter: '0.002' }),
  'server error': (plan) => Object.assign(plan, { status: 500 }),
  'bad gateway': (plan) => Object.assign(plan, { status: 502, type: 'text/html' }),
  'not there': (plan) => Object.assign(plan, { status: 404, body: new Uint8Array() }),
  'not allowed': (plan) => Object.assign(plan, { status: 403, body: new Uint8Array() }),
  'web page of a captive portal': (plan) => Object.assign(plan, { status: 200, type: 'text/html', body: new TextEncoder().encode('<html>') }),
  'a bit is flipped': (plan) => { plan.body = plan.body.slice(); plan.body[plan.body.length >> 1] ^= 16; },
  'bytes of another file': (plan) => { plan.body = plan.body.map((_, at) => at * 7); },
  'an older, longer file': (plan) => { plan.range &&= plan.range.replace(/\d+$/, String(plan.file.length + 64)); plan.body = plan.body.map((byte) => byte + 1); },
  'an older, shorter file': (plan) => { plan.range &&= plan.range.replace(/\d+$/, String(plan.file.length - 1)); plan.body = plan.body.map((byte) => byte + 1); },
};
export const NETWORK_FAULTS = Object.keys(FAULTS);

export class Network {
  /** Requests, and bytes of bodies that were read. */
  requests = 0;
  sent = 0;
  /** Milliseconds before each piece, so that others come in between. */
  lag = 0;
  /** Told of every stretch that is asked for: file, first byte, end. */
  asked = () => undefined;

  /** @param {Map<string, Uint8Array>} files by name @param {(operation: string) => string | null} meet */
  constructor(files, meet) {
    this.files = files;
    this.meet = meet;
  }

  fetch = async (url, { headers, signal }) => {
    signal.throwIfAborted();
    this.requests += 1;
    const fault = this.meet('request');
    signal.throwIfAborted();
    const plan = this.answer(url, headers?.range);
    if (headers?.range) this.asked(url.slice(url.lastIndexOf('/') + 1), plan.start, plan.start + plan.body.length);
    if (fault && FAULTS[fault]) FAULTS[fault](plan);
    if (plan.silent) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const range = plan.status === 206 && plan.range ? { 'content-range': plan.range } : {};
    const retry = plan.retryAfter ? { 'retry-after': plan.retryAfter } : {};
    const fields = { 'content-type': plan.type ?? 'application/octet-stream', 'content-length': plan.length, ...range, ...retry };
    return new Response(this.stream(plan, signal), { status: plan.status, headers: fields });
  };

  answer(url, range) {
    const file = this.files.get(url.slice(url.lastIndexOf('/') + 1));
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [null, 0, file.length - 1];
    const start = Number(first);
    const body = file.subarray(start, Number(last) + 1);
    return { status: range ? 206 : 200, file, start, body, length: String(body.length), range: range && `bytes ${first}-${last}/${file.length}` };
  }

  stream(plan, signal) {
    let at = 0;
    return new ReadableStream({
      type: 'bytes',
      pull: async (controller) => {
        if (this.lag > 0) await new Promise((resolve) => setTimeout(resolve, this.lag));
        if (at >= plan.stallAt) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        if (at >= plan.resetAt || signal.aborted) return controller.error(signal.reason ?? new TypeError('network error'));
        const piece = plan.body.slice(at, at + PIECE);
        at += piece.length;
        this.sent += piece.length;
        if (piece.length) controller.enqueue(piece);
        if (at < plan.body.length || at >= plan.resetAt || at >= plan.stallAt) return undefined;
        controller.close();
        return controller.byobRequest?.respond(0);
      },
    });
  }
}
