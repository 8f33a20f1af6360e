// Weights as halves. An order keeps pairs together, either of which may be turned.
@group(0) @binding(3) var<storage, read> weight: array<u32>;

fn levels(row: u32, b: u32, k4: u32, order: vec4<u32>) -> vec4<f32> {
    let at = row * (inner / 2u) + b * 16u + k4 * 2u;
    let first = unpack2x16float(weight[at + order.x / 2u]);
    let second = unpack2x16float(weight[at + order.z / 2u]);
    return select(vec4(first, second), vec4(first.yx, second.yx), order.x % 2u == 1u);
}
