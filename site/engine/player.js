/** Plays the phases of a plan. Bind groups are made once; a play makes nothing but its encoder. */

import { wayOf } from './choices/choices.js';
import { gridSize } from './plan.js';

/** @typedef {import('./plan.js').Dispatch} Dispatch */
/** @typedef {import('./choices/choices.js').Way} Way */
/** @typedef {{ pipeline: GPUComputePipeline, group: GPUBindGroup, grid: Way['grid'] }} ReadyDispatch */

export class Player {
  /** @param {Map<string, ReadyDispatch[]>} phases */
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
    const phases = await device.guarded('Binding the buffers', () =>
      Object.entries(plan.phases).map(/** @returns {[string, ReadyDispatch[]]} */ ([name, dispatches]) =>
        [name, dispatches.map((dispatch) => binder.ready(dispatch.bind, wayOf(dispatch, plan.choices, picks)))]),
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
    const dispatches = /** @type {ReadyDispatch[]} */ (this.phases.get(phase));
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
