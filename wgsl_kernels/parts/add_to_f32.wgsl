// Adds to an output that is f32 in every tier, such as logits.
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

fn add_at(at: u32, value: f32) {
    out[at] += value;
}
