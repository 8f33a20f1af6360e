alias Elem = f32;
// out[s] = x[index[s]]: one token of each sequence, such as the first (where index holds the sequences' bounds).
@group(0) @binding(1) var<storage, read> x: array<Elem>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<Elem>;
override width: u32;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < width {
        out[id.y * width + id.x] = x[index[id.y] * width + id.x];
    }
}
