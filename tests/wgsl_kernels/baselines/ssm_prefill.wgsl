alias Elem = f32;
// Many tokens of the Mamba-2 recurrence: a serial scan with the state in registers, up to 32 rows a lane. B, C, x and
// dt of a tile of tokens lie in workgroup memory, and the eight slices' shares of y are added up once a tile, so that
// there are two barriers a tile and none a token. A quad is four neighbouring rows of the state.
const MOST_QUADS: u32 = 8u;    // in a slice: state_size up to 256
const STAGED: u32 = 256u;      // quads of B, and of C, that fit
const MOST_TOKENS: u32 = 6u;

var<workgroup> staged_b: array<vec4<f32>, STAGED>;
var<workgroup> staged_c: array<vec4<f32>, STAGED>;
var<workgroup> staged_x: array<f32, MOST_TOKENS * CHANNELS>;
var<workgroup> staged_move: array<vec2<f32>, MOST_TOKENS>;
var<workgroup> partial: array<f32, MOST_TOKENS * WG>;
var<private> rows: array<vec4<f32>, MOST_QUADS>;

// Quads in a slice.
fn depth() -> u32 {
    return (state_size + 31u) / 32u;
}

// Four of `xbc` from row `quad * 4` on; rows beyond the state are 0 and stay 0.
fn quad_of(start: u32, quad: u32) -> vec4<f32> {
    var four = vec4(0.0);
    for (var i = 0u; i < 4u && quad * 4u + i < state_size; i++) {
        four[i] = f32(xbc[start + quad * 4u + i]);
    }
    return four;
}

fn stage(head: u32, channel0: u32, base: u32, count: u32, lane: u32) {
    let quads = depth() * SLICES;
    for (var i = lane; i < count * quads; i += WG) {
        let token = base + i / quads;
        staged_b[i] = quad_of(group_start(token, head, b_offset), i % quads);
        staged_c[i] = quad_of(group_start(token, head, c_offset), i % quads);
    }
    if lane < count * CHANNELS {
        let channel = min(channel0 + lane % CHANNELS, head_dim - 1u);
        staged_x[lane] = x_at(base + lane / CHANNELS, head, channel);
    }
    if lane < count {
        staged_move[lane] = move_of(base + lane, head);
    }
}

fn scan(count: u32, lane: u32, skip: f32) {
    let quads = depth() * SLICES;
    let slice = lane / CHANNELS;
    for (var t = 0u; t < count; t++) {
        let moved = staged_move[t];
        let x = staged_x[t * CHANNELS + lane % CHANNELS];
        let in = moved.x * x;
        var y = skip * x;
        for (var j = 0u; j < depth(); j++) {
            let quad = t * quads + j * SLICES + slice;
            rows[j] = moved.y * rows[j] + in * staged_b[quad];
            y += dot(rows[j], staged_c[quad]);
        }
        partial[t * WG + lane] = y;
    }
}

fn write_out(head: u32, channel0: u32, base: u32, count: u32, lane: u32) {
    let channel = channel0 + lane % CHANNELS;
    let t = lane / CHANNELS;
    if t >= count || channel >= head_dim {
        return;
    }
    var sum = 0.0;
    for (var i = 0u; i < SLICES; i++) {
        sum += partial[t * WG + lane % CHANNELS + i * CHANNELS];
    }
    out[((base + t) * heads + head) * head_dim + channel] = Elem(sum);
}

fn state_at(head: u32, channel: u32, quad: u32) -> u32 {
    return (head * state_size + quad * 4u) * head_dim + channel;
}

fn load_state(head: u32, channel: u32, slice: u32) {
    for (var j = 0u; j < depth(); j++) {
        let quad = j * SLICES + slice;
        for (var i = 0u; i < 4u && quad * 4u + i < state_size; i++) {
            rows[j][i] = state[state_at(head, channel, quad) + i * head_dim];
        }
    }
}

fn store_state(head: u32, channel: u32, slice: u32) {
    for (var j = 0u; j < depth(); j++) {
        let quad = j * SLICES + slice;
        for (var i = 0u; i < 4u && quad * 4u + i < state_size; i++) {
            state[state_at(head, channel, quad) + i * head_dim] = rows[j][i];
        }
    }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if step.done != 0u {
        return;
    }
    let head = group.x;
    let channel0 = group.y * CHANNELS;
    let channel = channel0 + lane % CHANNELS;
    let slice = lane / CHANNELS;
    let tile = min(STAGED / (depth() * SLICES), MOST_TOKENS);
    let skip = select(0.0, skip_of(head), slice == 0u);
    if channel < head_dim {
        load_state(head, channel, slice);
    }
    for (var base = 0u; base < step.tokens; base += tile) {
        let count = min(tile, step.tokens - base);
        stage(head, channel0, base, count, lane);
        workgroupBarrier();
        scan(count, lane, skip);
        workgroupBarrier();
        write_out(head, channel0, base, count, lane);
    }
    if channel < head_dim {
        store_state(head, channel, slice);
    }
}
