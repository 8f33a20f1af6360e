// What becomes of a channel's y: it is stored.
@group(0) @binding(2) var<storage, read_write> out: array<Elem>; // [heads * head_dim]

fn finish(channel: u32, y: f32) {
    out[channel] = Elem(y);
}
