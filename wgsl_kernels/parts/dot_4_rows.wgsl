// Eight values of row `x_row` of x, times the same eight of 4 rows of the weight; past `last` it is that row again.
fn dot8_of_4_rows(x_row: u32, row: u32, last: u32, k8: u32) -> vec4<f32> {
    let low = x4(x_row, k8 * 2u);
    let high = x4(x_row, k8 * 2u + 1u);
    return vec4(
        weight_dot8(row, k8, low, high),
        weight_dot8(min(row + 1u, last), k8, low, high),
        weight_dot8(min(row + 2u, last), k8, low, high),
        weight_dot8(min(row + 3u, last), k8, low, high),
    );
}
