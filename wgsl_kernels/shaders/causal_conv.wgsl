alias Elem = f32;
// Depthwise causal convolution with a state, then SiLU. A workgroup takes 64 channels; four lanes share a channel, each
// walking a quarter of the tokens with the last inputs in registers. The state is a ring of `taps` rows, that of a token
// at its position % taps, so that a step of one token (mamba_step.wgsl) writes none that it reads. Here it is read by all
// before the barrier and written after it by the lane that saw the last token: any split of the tokens gives the same.
const CHANNELS: u32 = 64u;
const QUARTERS: u32 = 4u;
const MOST_TAPS: u32 = 8u;
override channels: u32;
override taps: u32;
override x_stride: u32;
override x_offset: u32;
override has_bias: u32;

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> x: array<Elem>;
@group(0) @binding(2) var<storage, read_write> out: array<Elem>;   // [tokens, channels]
@group(0) @binding(3) var<storage, read> weight: array<f32>;       // [channels, taps]
@group(0) @binding(4) var<storage, read> bias: array<f32>;         // [channels]
@group(0) @binding(5) var<storage, read_write> ring: array<Elem>; // [taps, channels]

// Input `i` of the last taps - 1 before the tokens, followed by the tokens.
fn input(i: u32, channel: u32) -> f32 {
    if i < taps - 1u {
        return f32(ring[(step.past + i + 1u) % taps * channels + channel]);
    }
    return f32(x[(i + 1u - taps) * x_stride + x_offset + channel]);
}

@compute @workgroup_size(CHANNELS, QUARTERS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
    if step.done != 0u {
        return;
    }
    let channel = group.x * CHANNELS + lane.x;
    let quarter = (step.tokens + QUARTERS - 1u) / QUARTERS;
    let first = lane.y * quarter;
    let end = min(first + quarter, step.tokens);
    let idle = channel >= channels || first >= end;
    var window: array<f32, MOST_TAPS>;
    var tap: array<f32, MOST_TAPS>;
    if !idle {
        for (var j = 0u; j < taps; j++) {
            window[j] = input(first + j, channel);
            tap[j] = weight[channel * taps + j];
        }
    }
    storageBarrier();
    if idle {
        return;
    }
    let base = select(0.0, bias[channel], has_bias != 0u);
    for (var t = first; t < end; t++) {
        window[taps - 1u] = f32(x[t * x_stride + x_offset + channel]);
        var sum = base;
        for (var j = 0u; j < taps; j++) {
            sum += tap[j] * window[j];
        }
        out[t * channels + channel] = Elem(silu(sum));
        for (var j = 1u; j < taps; j++) {
            window[j - 1u] = window[j];
        }
    }
    if end == step.tokens {
        for (var t = end - min(end, taps); t < end; t++) {
            ring[(step.past + t) % taps * channels + channel] = x[t * x_stride + x_offset + channel];
        }
    }
}
