// Weights in blocks of 32 along `inner`, each with a float16 scale: value = (level - zero point) * scale. A part
// weights_q*.wgsl unpacks the levels and gives their BITS, a part zero_point_*.wgsl gives the zero point.
@group(0) @binding(3) var<storage, read> weight: array<u32>;
@group(0) @binding(4) var<storage, read> scales: array<u32>;

fn weight_block(row: u32, k: u32) -> u32 {
    return row * ((inner + 31u) / 32u) + k / 32u;
}

fn weight_scale(block: u32) -> f32 {
    return unpack2x16float(scales[block / 2u] >> (block % 2u * 16u)).x;
}

fn weight_bytes(word: u32) -> vec4<f32> {
    return vec4<f32>((vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(255u));
}

fn weight4(row: u32, k4: u32) -> vec4<f32> {
    let block = weight_block(row, k4 * 4u);
    let value = (levels4(block, k4 % 8u) - zero_point(row, k4 / 8u)) * weight_scale(block);
    if inner % 32u == 0u {
        return value;
    }
    return select(vec4(0.0), value, vec4(k4 * 4u) + vec4(0u, 1u, 2u, 3u) < vec4(inner));
}

// The dot product of 8 weights and 8 values, which must be 0 past `inner`. The zero point is taken off the sum, not
// off each weight: sum((q - zero) * x) = sum(q * x) - zero * sum(x), and sum(x) is the same for all rows.
fn weight_dot8(row: u32, k8: u32, low: vec4<f32>, high: vec4<f32>) -> f32 {
    let block = weight_block(row, k8 * 8u);
    let sum = levels_dot8(block, k8 % 4u, low, high);
    return (sum - zero_point(row, k8 / 4u) * dot(low + high, vec4(1.0))) * weight_scale(block);
}
