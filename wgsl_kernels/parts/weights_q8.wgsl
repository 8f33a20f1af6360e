// Levels of 8 bits: a block is 32 bytes.
const BITS: u32 = 8u;

fn levels4(block: u32, at4: u32) -> vec4<f32> {
    return weight_bytes(weight[block * 8u + at4]);
}

fn levels_dot8(block: u32, at8: u32, low: vec4<f32>, high: vec4<f32>) -> f32 {
    return dot(low, levels4(block, at8 * 2u)) + dot(high, levels4(block, at8 * 2u + 1u));
}
