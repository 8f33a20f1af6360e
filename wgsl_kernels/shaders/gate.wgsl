alias Elem = f32;
// activation(first half of the row) * second half.
@group(0) @binding(1) var<storage, read> x: array<Elem>;
@group(0) @binding(2) var<storage, read_write> out: array<Elem>;
override width: u32;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < width {
        let at = id.y * width * 2u + id.x;
        out[id.y * width + id.x] = Elem(activated(f32(x[at])) * f32(x[at + width]));
    }
}
