package client;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** AMQP by Qpid JMS, over TCP and over WebSockets. Usage: README.md one folder up. */
public final class Main {
    private static final long CASE_MAX_S = 45;
    private static final Set<String> SWITCHES = Set.of("anonymous", "killable");

    private Main() {}

    /** What the program was told, by name. */
    record Given(Map<String, String> values, String wanted) {
        String get(String name) {
            return values.getOrDefault(name, "");
        }
    }

    static Given arguments(String[] words) {
        Map<String, String> values = new HashMap<>();
        values.put("queues", "conformance/jms/");
        values.put("topics", "topic/conformance/jms/");
        values.put("messages", "1000");
        values.put("large", "67108864");
        values.put("run", String.valueOf(ProcessHandle.current().pid()));
        String wanted = "all";
        for (int at = 0; at < words.length; at++) {
            if (!words[at].startsWith("--")) {
                wanted = words[at];
            } else if (SWITCHES.contains(words[at].substring(2))) {
                values.put(words[at].substring(2), "yes");
            } else {
                values.put(words[at].substring(2), words[++at]);
            }
        }
        return new Given(values, wanted);
    }

    /** None if it passed; otherwise what it printed. */
    static String run(Case body, World world, ExecutorService threads) throws InterruptedException {
        Callable<Void> call = () -> {
            body.run(world);
            return null;
        };
        Future<Void> end = threads.submit(call);
        try {
            end.get(CASE_MAX_S, TimeUnit.SECONDS);
            return "ok";
        } catch (TimeoutException late) {
            end.cancel(true);
            return "FAIL timed out: the case";
        } catch (ExecutionException thrown) {
            Throwable cause = thrown.getCause();
            if (cause instanceof World.Skip) {
                return "skip " + cause.getMessage();
            }
            String text = (cause.getClass().getSimpleName() + ": " + cause.getMessage()).replaceAll("\\s+", " ");
            return "FAIL " + text.substring(0, Math.min(text.length(), 600));
        }
    }

    public static void main(String[] words) throws InterruptedException {
        Given given = arguments(words);
        Map<String, Case> cases = Cases.all();
        List<String> names = given.wanted().equals("all") ? new ArrayList<>(cases.keySet()) : List.of(given.wanted());
        ExecutorService threads = Executors.newCachedThreadPool();
        boolean failed = false;
        for (String name : names) {
            World world = new World(given, name);
            String end = run(cases.get(name), world, threads);
            world.end();
            String[] parts = end.split(" ", 2);
            System.out.println((parts[0] + " " + name + " " + (parts.length > 1 ? parts[1] : "")).strip());
            System.out.flush();
            failed |= parts[0].equals("FAIL");
        }
        // Threads of a case that hangs must not hold the program.
        Runtime.getRuntime().halt(failed ? 1 : 0);
    }
}
