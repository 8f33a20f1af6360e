// Blocks of 8-bit levels: 32 bytes, two loads. Signed integers are the cheaper ones to convert.
@group(0) @binding(3) var<storage, read> weight: array<vec4<u32>>;
const BITS: u32 = 8u;

fn dot_bytes(word: u32, v: vec4<f32>) -> f32 {
    return dot(vec4<f32>(vec4<i32>((vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(255u))), v);
}

fn dot_levels(block: u32, v: Block) -> f32 {
    let low = weight[block * 2u];
    let high = weight[block * 2u + 1u];
    return dot_bytes(low.x, v.a) + dot_bytes(low.y, v.b) + dot_bytes(low.z, v.c) + dot_bytes(low.w, v.d)
        + dot_bytes(high.x, v.e) + dot_bytes(high.y, v.f) + dot_bytes(high.z, v.g) + dot_bytes(high.w, v.h);
}
