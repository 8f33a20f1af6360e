alias Elem = f32;
// Copies the rows of two views, keys and values, into their caches, from row step.past on.
override width: u32;
override key_stride: u32;
override key_offset: u32;
override value_stride: u32;
override value_offset: u32;

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> key: array<Elem>;
@group(0) @binding(2) var<storage, read> value: array<Elem>;
@group(0) @binding(3) var<storage, read_write> keys: array<Elem>;   // [context, width]
@group(0) @binding(4) var<storage, read_write> values: array<Elem>; // [context, width]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x % width;
    let at = (step.past + id.y) * width + i;
    if step.done != 0u || id.x >= 2u * width {
        return;
    }
    if id.x < width {
        keys[at] = key[id.y * key_stride + key_offset + i];
    } else {
        values[at] = value[id.y * value_stride + value_offset + i];
    }
}
