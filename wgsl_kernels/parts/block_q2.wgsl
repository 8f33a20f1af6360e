// Blocks of 2-bit levels: 8 bytes, one load; lowest bits first. Signed integers are the cheaper ones to convert.
@group(0) @binding(3) var<storage, read> weight: array<vec2<u32>>;
const BITS: u32 = 2u;

fn dot_byte(byte: u32, v: vec4<f32>) -> f32 {
    return dot(vec4<f32>(vec4<i32>((vec4(byte) >> vec4(0u, 2u, 4u, 6u)) & vec4(3u))), v);
}

fn dot_levels(block: u32, v: Block) -> f32 {
    let words = weight[block];
    return dot_byte(words.x, v.a) + dot_byte(words.x >> 8u, v.b)
        + dot_byte(words.x >> 16u, v.c) + dot_byte(words.x >> 24u, v.d)
        + dot_byte(words.y, v.e) + dot_byte(words.y >> 8u, v.f)
        + dot_byte(words.y >> 16u, v.g) + dot_byte(words.y >> 24u, v.h);
}
