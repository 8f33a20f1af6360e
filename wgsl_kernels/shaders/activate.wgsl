alias Elem = f32;
// activation(x), from a view to a contiguous array.
@group(0) @binding(1) var<storage, read> x: array<Elem>;
@group(0) @binding(2) var<storage, read_write> out: array<Elem>;
override width: u32;
override x_stride: u32;
override x_offset: u32;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < width {
        out[id.y * width + id.x] = Elem(activated(f32(x[id.y * x_stride + x_offset + id.x])));
    }
}
