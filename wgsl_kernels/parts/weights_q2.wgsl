// Levels of 2 bits: a block is 8 bytes, lowest bits first, so that 4 levels are a byte.
const BITS: u32 = 2u;

fn levels4(block: u32, at4: u32) -> vec4<f32> {
    return levels_of_byte(weight[block * 2u + at4 / 4u] >> (at4 % 4u * 8u));
}

fn levels_dot8(block: u32, at8: u32, low: vec4<f32>, high: vec4<f32>) -> f32 {
    let word = weight[block * 2u + at8 / 2u] >> (at8 % 2u * 16u);
    return dot(low, levels_of_byte(word)) + dot(high, levels_of_byte(word >> 8u));
}

fn levels_of_byte(word: u32) -> vec4<f32> {
    return vec4<f32>((vec4(word) >> vec4(0u, 2u, 4u, 6u)) & vec4(3u));
}
