// A linear's input in f32, whatever Elem is, four values at a time: gated values may be larger than f16 can say.
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;

fn x_quad(i: u32) -> vec4<f32> {
    return x[i];
}
