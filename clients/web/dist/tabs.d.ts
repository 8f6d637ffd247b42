import { WharfError } from "./errors.js";
/** What tabs tell each other. */
export type Note = 
/** There is something new in the store. */
{
    added: true;
}
/** The broker has every entry up to this key. */
 | {
    settled: number;
}
/** One entry it will not have. */
 | {
    failed: number;
    code: WharfError["code"];
    message: string;
}
/** The state of the leader. */
 | {
    state: string;
}
/** Somebody new asks for the state. */
 | {
    hello: true;
};
/** Decides who leads: the one that holds a Web Lock, which nobody can hold twice, and no tab keeps when it dies. */
export declare class Tabs {
    private readonly name;
    private readonly listener;
    private readonly channel;
    private contending;
    private release;
    private over;
    constructor(name: string, listener: {
        noted(note: Note): void;
        /** This tab leads from now on. */
        lead(): Promise<void>;
        /** No more; resolves when nothing is written any more. */
        yielded(): Promise<void>;
    });
    tell(note: Note): void;
    /** Waits for its turn to lead. */
    contend(): void;
    /** Lets another tab lead. */
    yield(): Promise<void>;
    close(): void;
}
