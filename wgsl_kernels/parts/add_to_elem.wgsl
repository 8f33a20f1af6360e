// Adds to an output of the tier's type.
@group(0) @binding(2) var<storage, read_write> out: array<Elem>;

fn add_at(at: u32, value: f32) {
    out[at] = Elem(f32(out[at]) + value);
}
