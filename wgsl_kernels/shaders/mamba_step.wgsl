alias Elem = f32;
// One token of a Mamba-2 mixer between its two linears: convolution, SiLU, step size, state, skip (Dao and Gu,
// Transformers are SSMs, 2024). S = exp(dt A) S + dt B x^T, y = C^T S + D x. A workgroup owns 32 channels of a head: it
// convolves these and its group's B and C into workgroup memory, then reads and writes the state once, 16 bytes at a
// time: lane = slice * 8 + quad of channels, and a slice is every 32nd row of the state.
//
// The convolution's state is a ring of `taps` rows, that of a token at its position % taps: the row which is written is
// not among those that are read, so no workgroup disturbs another.
const WG: u32 = 256u;
const CHANNELS: u32 = 32u;
const QUADS: u32 = 8u;
const SLICES: u32 = 32u;

override heads: u32;
override head_dim: u32;
override groups: u32;
override state_size: u32;
override x_offset: u32;
override b_offset: u32;
override c_offset: u32;
override conv_offset: u32; // where the convolution's first channel lies in the row
override channels: u32;
override taps: u32;
override dt_offset: u32;
override dt_min: f32;
override dt_max: f32;
override a_at: u32; // where A_log, dt_bias and D lie in `vectors`
override dt_bias_at: u32;
override d_at: u32;
override has_d: u32;

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> row: array<Elem>;              // x, B, C and dt of the token
@group(0) @binding(3) var<storage, read_write> ring: array<Elem>;       // [taps, channels]
@group(0) @binding(4) var<storage, read_write> state: array<vec4<f32>>; // [heads, state_size, head_dim / 4]
@group(0) @binding(5) var<storage, read> weight: array<f32>;            // [channels, taps]
@group(0) @binding(6) var<storage, read> bias: array<f32>;              // [channels]
@group(0) @binding(7) var<storage, read> vectors: array<f32>;

var<workgroup> b_row: array<f32, state_size>;
var<workgroup> c_row: array<f32, state_size>;
var<workgroup> x_part: array<vec4<f32>, QUADS>;
var<workgroup> partial: array<vec4<f32>, WG>;

fn convolved(channel: u32) -> f32 {
    let at = channel * taps;
    var sum = weight[at + taps - 1u] * f32(row[conv_offset + channel]);
    for (var j = 1u; j < taps; j++) {
        sum += weight[at + taps - 1u - j] * f32(ring[(step.past + taps - j) % taps * channels + channel]);
    }
    return silu(sum + bias_at(channel));
}

fn remember(channel: u32) {
    ring[step.past % taps * channels + channel] = row[conv_offset + channel];
}

// Fills b_row and c_row; `owner` is the one workgroup of the group that writes their columns of the ring.
fn stage_group(head: u32, owner: bool, lane: u32) {
    let start = head / (heads / groups) * state_size;
    for (var i = lane; i < 2u * state_size; i += WG) {
        let n = i % state_size;
        let channel = select(c_offset, b_offset, i < state_size) - conv_offset + start + n;
        let value = convolved(channel);
        if i < state_size {
            b_row[n] = value;
        } else {
            c_row[n] = value;
        }
        if owner {
            remember(channel);
        }
    }
}

fn stage_x(head: u32, first: u32, lane: u32) {
    if lane < CHANNELS {
        var value = 0.0;
        if first + lane < head_dim {
            let channel = x_offset - conv_offset + head * head_dim + first + lane;
            value = convolved(channel);
            remember(channel);
        }
        x_part[lane / 4u][lane % 4u] = value;
    }
}

// (dt', exp(dt' A)) of a head. The floor keeps exp away from overflowed input.
fn move_of(head: u32) -> vec2<f32> {
    let raw = f32(row[dt_offset + head]) + vectors[dt_bias_at + head];
    let size = clamp(softplus(raw), dt_min, dt_max);
    return vec2(size, exp(max(-size * exp(vectors[a_at + head]), -200.0)));
}

// Moves one row of the state on; returns what it adds to y.
fn moved(at: u32, n: u32, decay: f32, push: vec4<f32>) -> vec4<f32> {
    let now = decay * state[at] + push * b_row[n];
    state[at] = now;
    return now * c_row[n];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if step.done != 0u {
        return;
    }
    let head = group.x;
    let first = group.y * CHANNELS;
    let quad = lane % QUADS;
    stage_group(head, head % (heads / groups) == 0u && group.y == 0u, lane);
    stage_x(head, first, lane);
    workgroupBarrier();
    var y = vec4(0.0);
    if first + quad * 4u < head_dim {
        let time = move_of(head);
        let push = time.x * x_part[quad];
        let start = (head * state_size * head_dim + first) / 4u + quad;
        for (var n = lane / QUADS; n < state_size; n += SLICES) {
            y += moved(start + n * (head_dim / 4u), n, time.y, push);
        }
    }
    partial[lane] = y;
    workgroupBarrier();
    if lane < CHANNELS && first + lane < head_dim {
        let x = x_part[lane / 4u][lane % 4u];
        var sum = select(0.0, vectors[d_at + head], has_d != 0u) * x;
        for (var slice = 0u; slice < SLICES; slice++) {
            sum += partial[slice * QUADS + lane / 4u][lane % 4u];
        }
        finish(head * head_dim + first + lane, sum);
    }
}
