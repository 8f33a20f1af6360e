// Levels of 4 bits: a block is 16 bytes, low nibble first.
const BITS: u32 = 4u;

fn levels4(block: u32, at4: u32) -> vec4<f32> {
    let word = weight[block * 4u + at4 / 2u] >> (at4 % 2u * 16u);
    return vec4<f32>((vec4(word) >> vec4(0u, 4u, 8u, 12u)) & vec4(15u));
}

fn levels_dot8(block: u32, at8: u32, low: vec4<f32>, high: vec4<f32>) -> f32 {
    let word = weight[block * 4u + at8];
    let even = dot(vec4(low.xz, high.xz), weight_bytes(word & 0x0F0F0F0Fu));
    return even + dot(vec4(low.yw, high.yw), weight_bytes((word >> 4u) & 0x0F0F0F0Fu));
}
