// What is staged, as matrices: every STRIDE-th token (a column) and every STRIDE-th row of the weight (a row).
fn x_at(at: u32) -> mat4x4<f32> {
    return mat4x4(x_tile[at], x_tile[at + STRIDE], x_tile[at + 2u * STRIDE], x_tile[at + 3u * STRIDE]);
}

fn weights_at(at: u32) -> mat4x4<f32> {
    return transpose(mat4x4(
        weight_tile[at],
        weight_tile[at + STRIDE],
        weight_tile[at + 2u * STRIDE],
        weight_tile[at + 3u * STRIDE],
    ));
}
