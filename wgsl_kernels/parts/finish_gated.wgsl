// What becomes of a channel's y: y * silu(z), in f32 in every tier, as the product may be larger than f16 can say.
override z_offset: u32;
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // [heads * head_dim]

fn finish(channel: u32, y: f32) {
    out[channel] = y * silu(f32(row[z_offset + channel]));
}
