// Weights as floats: 32 of them are eight loads.
@group(0) @binding(3) var<storage, read> weight: array<vec4<f32>>;

fn dot_block(row: u32, b: u32, v: Block, total: f32) -> f32 {
    let at = row * (inner / 4u) + b * 8u;
    return dot(weight[at], v.a) + dot(weight[at + 1u], v.b) + dot(weight[at + 2u], v.c) + dot(weight[at + 3u], v.d)
        + dot(weight[at + 4u], v.e) + dot(weight[at + 5u], v.f) + dot(weight[at + 6u], v.g) + dot(weight[at + 7u], v.h);
}
