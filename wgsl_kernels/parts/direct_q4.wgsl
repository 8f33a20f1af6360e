// Levels of 4 bits: a block is 16 bytes, low nibble first.
@group(0) @binding(3) var<storage, read> weight: array<u32>;
const BITS: u32 = 4u;

fn levels(block: u32, k4: u32, order: vec4<u32>) -> vec4<f32> {
    let word = weight[block * 4u + k4 / 2u] >> (k4 % 2u * 16u);
    return vec4<f32>(vec4<i32>((vec4(word) >> (order * 4u)) & vec4(15u)));
}
