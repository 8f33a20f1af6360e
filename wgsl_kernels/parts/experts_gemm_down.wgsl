// experts_gemm.wgsl as the way down: from rows in the order of `pairs` to rows by the pairs' own numbers.
fn input_row(position: u32) -> u32 {
    return position;
}

fn row_of(place: u32) -> u32 {
    return place;
}

fn finish(position: u32, first_row: u32, column: u32, sums: vec4<f32>) {
    for (var i = 0u; i < 4u; i++) {
        let row = first_row + i * STRIDE + column;
        if row < rows {
            out[pairs[position] * rows + row] = Elem(sums[i]);
        }
    }
}
