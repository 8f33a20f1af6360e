// The Mamba-2 recurrence of one head (Dao and Gu, Transformers are SSMs, 2024): S = exp(dt A) S + dt B x^T,
// y = C^T S + D x. A workgroup takes 32 channels of a head: lane = slice * 32 + channel, and a slice is an eighth of
// the state's rows. Shared by the step and the prefill kernel, which have the same interface.
const WG: u32 = 256u;
const CHANNELS: u32 = 32u;
const SLICES: u32 = 8u;

override heads: u32;
override head_dim: u32;
override groups: u32;
override state_size: u32;
override stride: u32;
override x_offset: u32;
override b_offset: u32;
override c_offset: u32;
override dt_stride: u32;
override dt_offset: u32;
override dt_min: f32;
override dt_max: f32;
override has_d: u32;

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> xbc: array<Elem>;        // [tokens, stride]
@group(0) @binding(2) var<storage, read> dt: array<Elem>;
@group(0) @binding(3) var<storage, read> a_log: array<f32>;       // [heads]
@group(0) @binding(4) var<storage, read> dt_bias: array<f32>;     // [heads]
@group(0) @binding(5) var<storage, read> d: array<f32>;           // [heads]
@group(0) @binding(6) var<storage, read_write> state: array<f32>; // [heads, state_size, head_dim]
@group(0) @binding(7) var<storage, read_write> out: array<Elem>;  // [tokens, heads * head_dim]

// How far a token moves the state of a head: (dt', exp(dt' A)). The floor keeps exp away from overflowed input.
fn move_of(token: u32, head: u32) -> vec2<f32> {
    let raw = f32(dt[token * dt_stride + dt_offset + head]) + dt_bias[head];
    let size = clamp(softplus(raw), dt_min, dt_max);
    return vec2(size, exp(max(-size * exp(a_log[head]), -200.0)));
}

fn x_at(token: u32, head: u32, channel: u32) -> f32 {
    return f32(xbc[token * stride + x_offset + head * head_dim + channel]);
}

// Where row 0 of B or C of a head begins, given b_offset or c_offset.
fn group_start(token: u32, head: u32, offset: u32) -> u32 {
    return token * stride + offset + head / (heads / groups) * state_size;
}

fn skip_of(head: u32) -> f32 {
    return select(0.0, d[head], has_d != 0u);
}
