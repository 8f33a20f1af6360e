// What the chunked prefill of Mamba-2 shares (Dao and Gu, Transformers are SSMs, 2024). A chunk is 64 tokens. A row of
// `xbc` holds x of all heads, B of all groups and C of all groups, each head's and group's part a whole number of vec4.
const CHUNK: u32 = 64u;

override heads: u32;
override head_dim: u32;
override groups: u32;
override state_size: u32;
override stride: u32;
override x_offset: u32;
override b_offset: u32;
override c_offset: u32;

fn quads(width: u32) -> u32 {
    return (width + 3u) / 4u;
}

// Where x of a head, or B or C of a group, begins in a token's row, in vec4.
fn x_start(token: u32, head: u32) -> u32 {
    return (token * stride + x_offset) / 4u + head * quads(head_dim);
}

fn side_start(token: u32, group: u32, offset: u32) -> u32 {
    return (token * stride + offset) / 4u + group * quads(state_size);
}

fn group_of(head: u32) -> u32 {
    return head / (heads / groups);
}

// What is left of a state after the tokens between two places in a chunk. A place is the sum of -dt' A up to there, as
// a whole number and a fraction, so that a head that has forgotten much still knows small differences. The floor keeps
// exp away from overflowed input: f32 is 0 there already.
fn left_between(begin: vec2<f32>, end: vec2<f32>) -> f32 {
    return exp(clamp((begin.x - end.x) + (begin.y - end.y), -200.0, 0.0));
}
