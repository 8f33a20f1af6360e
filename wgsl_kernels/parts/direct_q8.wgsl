// Levels of 8 bits: a block is 32 bytes. Signed integers become floats in one instruction where unsigned ones may not.
@group(0) @binding(3) var<storage, read> weight: array<u32>;
const BITS: u32 = 8u;

fn levels(block: u32, k4: u32, order: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(vec4<i32>((vec4(weight[block * 8u + k4]) >> (order * 8u)) & vec4(255u)));
}
