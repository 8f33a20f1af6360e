alias Elem = f32;
// Embedding rows by id; the table's first row is that of id row_start.
@group(0) @binding(1) var<storage, read> ids: array<u32>;
override row_start: u32;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    // Wraps for ids below row_start, so that one test covers both ends.
    gather_row(id.y, ids[id.y] - row_start, id.x);
}
