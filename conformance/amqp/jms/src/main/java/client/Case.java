package client;

/** What one case does. */
@FunctionalInterface
interface Case {
    void run(World world) throws Exception;
}
