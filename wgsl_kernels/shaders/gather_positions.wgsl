alias Elem = f32;
// Learned position embeddings of a generator: token t stands at past + t.
@group(0) @binding(0) var<uniform> step: Step;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    gather_row(id.y, step.past + id.y, id.x);
}
