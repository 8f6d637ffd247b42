// Assertions that say what they saw, and the way out of a case that cannot be asked here.
export class Skip extends Error {}

export function check(condition, what) {
    if (!condition) throw new Error(typeof what === "function" ? what() : what);
}

export function same(got, wanted, what) {
    const [left, right] = [JSON.stringify(got), JSON.stringify(wanted)];
    check(left === right, () => `${what}: ${left?.slice(0, 200)} is not ${right?.slice(0, 200)}`);
}
