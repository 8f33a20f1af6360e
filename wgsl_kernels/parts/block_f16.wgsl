// Weights as halves: 32 of them are four loads.
@group(0) @binding(3) var<storage, read> weight: array<vec4<u32>>;

fn dot_halves(words: vec4<u32>, low: vec4<f32>, high: vec4<f32>) -> f32 {
    return dot(vec4(unpack2x16float(words.x), unpack2x16float(words.y)), low)
        + dot(vec4(unpack2x16float(words.z), unpack2x16float(words.w)), high);
}

fn dot_block(row: u32, b: u32, v: Block, total: f32) -> f32 {
    let at = row * (inner / 8u) + b * 4u;
    return dot_halves(weight[at], v.a, v.b) + dot_halves(weight[at + 1u], v.c, v.d)
        + dot_halves(weight[at + 2u], v.e, v.f) + dot_halves(weight[at + 3u], v.g, v.h);
}
