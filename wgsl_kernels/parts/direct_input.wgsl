// Four values of a linear's input, in the order that `order_of` says.
@group(0) @binding(1) var<storage, read> x: array<vec4<Elem>>;

fn order_of(lane: u32) -> vec4<u32> {
    return vec4(0u, 1u, 2u, 3u);
}

fn input4(token: u32, k4: u32, lane: u32) -> vec4<f32> {
    return vec4<f32>(x[token * (inner / 4u) + k4]);
}
