// Levels of 2 bits: a block is 8 bytes, lowest bits first, so that 4 levels are a byte.
@group(0) @binding(3) var<storage, read> weight: array<u32>;
const BITS: u32 = 2u;

fn levels(block: u32, k4: u32, order: vec4<u32>) -> vec4<f32> {
    let word = weight[block * 2u + k4 / 4u] >> (k4 % 4u * 8u);
    return vec4<f32>(vec4<i32>((vec4(word) >> (order * 2u)) & vec4(3u)));
}
