alias Elem = f32;
// Adds alpha * h * weight^T to columns of a linear's output, where h is `inner` columns of a wider row: the second half
// of an adapter's product of low rank. A lane owns one row of the weight and one token; the rank is its whole length.
@group(0) @binding(1) var<storage, read> x: array<Elem>;
override inner: u32;
override rows: u32;
override x_stride: u32;
override x_offset: u32;
override out_stride: u32;
override column: u32;
override alpha: f32;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= rows {
        return;
    }
    var sum = 0.0;
    for (var k4 = 0u; k4 * 4u < inner; k4++) {
        sum += dot(x4(id.y * x_stride + x_offset, k4 * 4u), weight4(id.x, k4));
    }
    add_at(id.y * out_stride + column + id.x, alpha * sum);
}

// Past `inner` the row goes on with what is not of this product.
fn x4(at: u32, k: u32) -> vec4<f32> {
    var value = vec4(0.0);
    for (var i = 0u; i < 4u && k + i < inner; i++) {
        value[i] = f32(x[at + k + i]);
    }
    return value;
}
