// Blocks of 4-bit levels: 16 bytes, one load; low nibble first. Signed integers are the cheaper ones to convert.
@group(0) @binding(3) var<storage, read> weight: array<vec4<u32>>;
const BITS: u32 = 4u;

fn dot_word(word: u32, low: vec4<f32>, high: vec4<f32>) -> f32 {
    let even = vec4<f32>(vec4<i32>((vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(15u)));
    let odd = vec4<f32>(vec4<i32>((vec4(word) >> vec4(4u, 12u, 20u, 28u)) & vec4(15u)));
    return dot(even, vec4(low.xz, high.xz)) + dot(odd, vec4(low.yw, high.yw));
}

fn dot_levels(block: u32, v: Block) -> f32 {
    let words = weight[block];
    return dot_word(words.x, v.a, v.b) + dot_word(words.y, v.c, v.d)
        + dot_word(words.z, v.e, v.f) + dot_word(words.w, v.g, v.h);
}
