/** Runs in the engine's worker, before it: counts what is asked of the GPU, and destroys the device at a call told. */

const ASKED = {
  submit: GPUQueue,
  writeBuffer: GPUQueue,
  onSubmittedWorkDone: GPUQueue,
  mapAsync: GPUBuffer,
  createBuffer: GPUDevice,
  createShaderModule: GPUDevice,
  createComputePipelineAsync: GPUDevice,
  createBindGroup: GPUDevice,
  popErrorScope: GPUDevice,
};
const counts = Object.fromEntries(Object.keys(ASKED).map((name) => [name, 0]));
/** The call that kills: its name, how many of its kind from now on come first, and how many devices in a row. */
let fatal = globalThis.fatalAtFirst ?? null;
let device = null;

function count(name) {
  counts[name] += 1;
  if (fatal?.name !== name || fatal.after-- > 0) return;
  device.destroy();
  fatal = fatal.times > 1 ? { ...fatal, times: fatal.times - 1, after: fatal.again ?? 0 } : null;
}

for (const [name, { prototype }] of Object.entries(ASKED)) {
  const original = prototype[name];
  prototype[name] = function (...args) {
    const result = original.apply(this, args);
    count(name);
    return result;
  };
}

const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = async function (...args) {
  device = await requestDevice.apply(this, args);
  return device;
};

const channel = new BroadcastChannel('gpu');
channel.onmessage = ({ data }) => {
  if ('fatal' in data) fatal = data.fatal;
  channel.postMessage({ counts, answer: data.id });
};
