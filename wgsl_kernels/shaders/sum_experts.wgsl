alias Elem = f32;
// out = the sum over a token's slots of routing * the slot's row of x.
@group(0) @binding(1) var<storage, read> x: array<Elem>; // [tokens][slots][width]
@group(0) @binding(2) var<storage, read_write> out: array<Elem>;
@group(0) @binding(3) var<storage, read> routing: array<f32>;
override width: u32;
override slots: u32;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= width {
        return;
    }
    var sum = 0.0;
    for (var pair = id.y * slots; pair < (id.y + 1u) * slots; pair++) {
        sum += routing[pair] * f32(x[pair * width + id.x]);
    }
    out[id.y * width + id.x] = Elem(sum);
}
