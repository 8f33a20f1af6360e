// out[token] = scale * table[row], or added to out[token]. A thread makes 4 values; rows that the table has not are
// left alone, so that a table may be split over several dispatches.
@group(0) @binding(2) var<storage, read_write> out: array<Elem>;
override width: u32;
override rows: u32;
override scale: f32;
override accumulate: u32;
override inner: u32 = width; // the weight part's name for the length of a row

fn gather_row(token: u32, row: u32, k4: u32) {
    if row >= rows || k4 * 4u >= width {
        return;
    }
    let value = scale * weight4(row, k4);
    for (var i = 0u; i < 4u && k4 * 4u + i < width; i++) {
        let at = token * width + k4 * 4u + i;
        let before = select(0.0, f32(out[at]), accumulate != 0u);
        out[at] = Elem(before + value[i]);
    }
}
