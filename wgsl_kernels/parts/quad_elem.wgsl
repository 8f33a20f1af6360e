// A linear's input in the element type of the tier, four values at a time.
@group(0) @binding(1) var<storage, read> x: array<vec4<Elem>>;

fn x_quad(i: u32) -> vec4<f32> {
    return vec4<f32>(x[i]);
}
