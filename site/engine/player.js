/** Plays the phases of a plan. Bind groups are made once; a play makes nothing but its encoder. */

import { wayOf } from './choices/choices.js';
import { FEW_TOKENS, gridSize } from './plan.js';

/** @typedef {import('./plan.js').Dispatch} Dispatch */
/** @typedef {import('./choices/choices.js').Way} Way */
/** @typedef {{ pipeline: GPUComputePipeline, group: GPUBindGroup, grid: Way['grid'] }} ReadyDispatch */
/** @typedef {{ usual: ReadyDispatch[], few: ReadyDispatch[] }} ReadyPhase `few` is for FEW_TOKENS or less */

export class Player {
  /** @param {Map<string, ReadyPhase>} phases */
  constructor(phases) {
    this.phases = phases;
  }

  /**
   * @param {import('./device.js').Device} device
   * @param {import('./plan.js').Plan} plan
   * @param {Binder} binder
   * @param {import('./choices/choices.js').Picks} picks
   * @returns {Promise<Player>}
   */
  static async create(device, plan, binder, picks) {
    const ready = (/** @type {Dispatch['bind']} */ bind, /** @type {import('./choices/choices.js').Ways} */ ways) =>
      binder.ready(bind, wayOf(ways, plan.choices, picks));
    const phases = await device.guarded('Binding the buffers', () =>
      Object.entries(plan.phases).map(/** @returns {[string, ReadyPhase]} */ ([name, dispatches]) => [name, {
        usual: dispatches.map((dispatch) => ready(dispatch.bind, dispatch)),
        few: dispatches.map((dispatch) => ready(dispatch.bind, dispatch.few ?? dispatch)),
      }]),
    );
    return new Player(new Map(phases));
  }

  /**
   * @param {GPUCommandEncoder} encoder
   * @param {string} phase one that the plan's task has
   * @param {import('./plan.js').Symbols} symbols
   * @param {number} [first] dispatch to play
   * @param {number} [end] of the dispatches to play
   */
  play(encoder, phase, symbols, first, end) {
    const pass = encoder.beginComputePass();
    this.record(pass, phase, symbols, first, end);
    pass.end();
  }

  /**
   * Each dispatch of a pass sees what those before it have written, so a pass may hold any number of phases.
   *
   * @param {GPUComputePassEncoder} pass
   * @param {string} phase
   * @param {import('./plan.js').Symbols} symbols
   * @param {number} [first]
   * @param {number} [end]
   */
  record(pass, phase, symbols, first = 0, end = Infinity) {
    const { usual, few } = /** @type {ReadyPhase} */ (this.phases.get(phase));
    const dispatches = symbols.tokens <= FEW_TOKENS ? few : usual;
    for (let i = first; i < Math.min(end, dispatches.length); i++) add(pass, dispatches[i], symbols);
  }
}

/** @param {GPUComputePassEncoder} pass @param {ReadyDispatch} dispatch @param {import('./plan.js').Symbols} symbols */
export function add(pass, { pipeline, group, grid }, symbols) {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(gridSize(grid[0], symbols), gridSize(grid[1], symbols), gridSize(grid[2], symbols));
}

/** Makes each bind group once, however often the phases use it. */
export class Binder {
  /**
   * @param {GPUDevice} gpu
   * @param {GPUBuffer[]} buffers
   * @param {Map<number, GPUComputePipeline>} pipelines by kernel
   */
  constructor(gpu, buffers, pipelines) {
    this.gpu = gpu;
    this.buffers = buffers;
    this.pipelines = pipelines;
    /** @type {Map<string, GPUBindGroup>} */
    this.groups = new Map();
  }

  /** @param {Dispatch['bind']} bind @param {Way} way whose kernel is compiled @returns {ReadyDispatch} */
  ready(bind, { kernel, grid }) {
    const pipeline = /** @type {GPUComputePipeline} */ (this.pipelines.get(kernel));
    const key = JSON.stringify([kernel, bind]);
    const group = this.groups.get(key) ?? this.bind(pipeline, bind);
    this.groups.set(key, group);
    return { pipeline, group, grid };
  }

  /** @param {GPUComputePipeline} pipeline @param {Dispatch['bind']} bind @returns {GPUBindGroup} */
  bind(pipeline, bind) {
    const entries = bind.map(({ binding, buffer, offset, bytes }) => ({
      binding,
      resource: { buffer: this.buffers[buffer], offset, size: bytes },
    }));
    return this.gpu.createBindGroup({ label: pipeline.label, layout: pipeline.getBindGroupLayout(0), entries });
  }
}
