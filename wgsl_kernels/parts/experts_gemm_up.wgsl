// experts_gemm.wgsl as silu(gate) * up: from the rows of tokens to rows in the order of `pairs`.
fn input_row(position: u32) -> u32 {
    return pairs[position] / slots;
}

// The rows lie in the tile so that a thread, which owns every 8th, has gate (even rows) and up (odd rows) of two values.
fn row_of(place: u32) -> u32 {
    return place / 16u * 16u + place % 8u * 2u + place / 8u % 2u;
}

fn finish(position: u32, first_row: u32, column: u32, sums: vec4<f32>) {
    for (var i = 0u; i < 2u; i++) {
        let value = first_row / 2u + i * STRIDE + column;
        if value < rows / 2u {
            out[position * (rows / 2u) + value] = Elem(silu(sums[i * 2u]) * sums[i * 2u + 1u]);
        }
    }
}
