// What is different between two texts, line by line.

export interface DiffLine {
    sign: "+" | "-" | " ";
    text: string;
}

/** The shortest way from one to the other: what is in both stays. */
export function diff(before: readonly string[], after: readonly string[]): DiffLine[] {
    // common[i][j]: lines in common behind i of `before` and j of `after`.
    const common = Array.from({ length: before.length + 1 }, () =>
        new Array<number>(after.length + 1).fill(0),
    );
    for (let i = before.length - 1; i >= 0; i -= 1) {
        for (let j = after.length - 1; j >= 0; j -= 1) {
            common[i]![j] =
                before[i] === after[j]
                    ? common[i + 1]![j + 1]! + 1
                    : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
        }
    }
    const lines: DiffLine[] = [];
    let [i, j] = [0, 0];
    while (i < before.length || j < after.length) {
        const isEnd = i === before.length || j === after.length;
        if (!isEnd && before[i] === after[j]) {
            lines.push({ sign: " ", text: before[i]! });
            i += 1;
            j += 1;
        } else if (j === after.length || (!isEnd && common[i + 1]![j]! >= common[i]![j + 1]!)) {
            lines.push({ sign: "-", text: before[i]! });
            i += 1;
        } else {
            lines.push({ sign: "+", text: after[j]! });
            j += 1;
        }
    }
    return lines;
}
