/**
 * Takes tokens out of the choice, on the GPU and before the plan's own sampling, so that temperature, top-k, top-p and
 * seed mean what they mean without it. A logit that is not a number is never drawn beside one that is.
 */

/** @typedef {import('../session.js').Session} Session */

const WORKGROUP = 256;
const SHADER = `
override vocabulary: u32;
@group(0) @binding(0) var<storage, read_write> logits: array<u32>;
@group(0) @binding(1) var<storage, read> allowed: array<u32>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) at: vec3<u32>) {
    if at.x >= vocabulary {
        return;
    }
    if ((allowed[at.x / 32u] >> (at.x % 32u)) & 1u) == 0u {
        logits[at.x] = 0x7fc00000u;
    }
}
`;

export class LogitMask {
  /**
   * @param {GPUDevice} gpu
   * @param {GPUBuffer} allowed
   * @param {import('../player.js').ReadyDispatch} dispatch
   */
  constructor(gpu, allowed, { pipeline, group, grid }) {
    this.gpu = gpu;
    this.allowed = allowed;
    this.pipeline = pipeline;
    this.group = group;
    this.workgroups = Number(grid[0]);
  }

  /** @param {Session} session @returns {Promise<LogitMask>} */
  static async create({ device, buffers, manifest: { vocabulary } }) {
    const { gpu } = device;
    return device.guarded('Making the mask of logits', () => {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
      const allowed = gpu.createBuffer({ label: 'allowed', size: Math.ceil(vocabulary / 32) * 4, usage });
      const module = gpu.createShaderModule({ label: 'mask', code: SHADER });
      const compute = { module, entryPoint: 'main', constants: { vocabulary } };
      const pipeline = gpu.createComputePipeline({ label: 'mask', layout: 'auto', compute });
      const entries = [buffers.get('logits'), allowed].map((buffer, binding) => ({ binding, resource: { buffer } }));
      const group = gpu.createBindGroup({ label: 'mask', layout: pipeline.getBindGroupLayout(0), entries });
      return new LogitMask(gpu, allowed, { pipeline, group, grid: [Math.ceil(vocabulary / WORKGROUP), 1, 1] });
    });
  }

  /** @param {GPUComputePassEncoder} pass @param {import('../constraint/constraint.js').Mask} mask for its submit */
  record(pass, mask) {
    this.gpu.queue.writeBuffer(this.allowed, 0, mask);
    pass.setPipeline(this.pipeline);
    pass.setBindGroup(0, this.group);
    pass.dispatchWorkgroups(this.workgroups);
  }
}

/** @type {WeakMap<Session, Promise<LogitMask>>} */
const masks = new WeakMap();

/** @param {Session} session @returns {Promise<LogitMask>} the one of its logits */
export function logitMaskOf(session) {
  const found = masks.get(session) ?? LogitMask.create(session);
  masks.set(session, found);
  return found;
}
