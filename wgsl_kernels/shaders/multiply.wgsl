alias Elem = f32;
// a * b, from two views to a contiguous array.
@group(0) @binding(1) var<storage, read> a: array<Elem>;
@group(0) @binding(2) var<storage, read> b: array<Elem>;
@group(0) @binding(3) var<storage, read_write> out: array<Elem>;
override width: u32;
override a_stride: u32;
override a_offset: u32;
override b_stride: u32;
override b_offset: u32;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < width {
        let left = f32(a[id.y * a_stride + a_offset + id.x]);
        out[id.y * width + id.x] = Elem(left * f32(b[id.y * b_stride + b_offset + id.x]));
    }
}
