// Weights as floats.
@group(0) @binding(3) var<storage, read> weight: array<f32>;

fn levels(row: u32, b: u32, k4: u32, order: vec4<u32>) -> vec4<f32> {
    let at = vec4(row * inner + b * 32u + k4 * 4u) + order;
    return vec4(weight[at.x], weight[at.y], weight[at.z], weight[at.w]);
}
