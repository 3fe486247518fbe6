// A session of testcontainers for Java: what it sees goes to stdout. Played by test/long/clients.test.ts.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.containers.ContainerLaunchException;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.output.ToStringConsumer;
import org.testcontainers.containers.output.WaitingConsumer;
import org.testcontainers.containers.startupcheck.OneShotStartupCheckStrategy;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.utility.DockerImageName;

public class Testcontainers {
  static GenericContainer<?> made() {
    return new GenericContainer<>(DockerImageName.parse("clients:1"));
  }

  static String get(GenericContainer<?> web, String path) throws Exception {
    URI uri = URI.create("http://" + web.getHost() + ":" + web.getMappedPort(80) + path);
    return HttpClient.newHttpClient().send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).body().trim();
  }

  public static void main(String[] args) throws Exception {
    try (Network network = Network.newNetwork();
        GenericContainer<?> web =
            made()
                .withExposedPorts(80)
                .withNetwork(network)
                .withNetworkAliases("api")
                .withEnv("COLOUR", "blue")
                .withLabel("made", "testcontainers-java")
                .withCopyToContainer(Transferable.of("copied"), "/www/copied")
                .waitingFor(Wait.forHealthcheck())) {
      web.start();
      System.out.println("healthy " + web.isHealthy() + " " + get(web, "/") + " " + get(web, "/copied"));
      ExecResult result = web.execInContainer("sh", "-c", "echo $COLOUR; echo err >&2; exit 4");
      System.out.println(
          "exec " + result.getExitCode() + " " + result.getStdout().trim() + " " + result.getStderr().trim());
      web.copyFileToContainer(Transferable.of("more"), "/www/more");
      String more =
          web.copyFileFromContainer(
              "/www/more", stream -> new String(stream.readAllBytes(), StandardCharsets.UTF_8));
      System.out.println("copied " + more);

      WaitingConsumer waiting = new WaitingConsumer();
      ToStringConsumer all = new ToStringConsumer();
      try (GenericContainer<?> client =
          made()
              .withCommand("sh", "-c", "echo started; sleep 1; echo ready; sleep 1; echo later; exec sleep 100")
              .withNetwork(network)
              .withLogConsumer(waiting.andThen(all))
              .waitingFor(Wait.forLogMessage(".*ready.*", 1))) {
        client.start();
        System.out.println("network " + client.execInContainer("wget", "-q", "-O", "-", "http://api/").getStdout().trim());
        waiting.waitUntil(frame -> frame.getUtf8String().contains("later"), 20, java.util.concurrent.TimeUnit.SECONDS);
        System.out.println("logs " + all.toUtf8String().trim().replaceAll("\\s+", " "));
      }
      try (GenericContainer<?> http =
          made().withExposedPorts(80).waitingFor(Wait.forHttp("/").forPort(80).forStatusCode(200))) {
        http.start();
        System.out.println("http " + get(http, "/"));
      }
      try (GenericContainer<?> ports = made().withExposedPorts(80).waitingFor(Wait.forListeningPort())) {
        ports.start();
        System.out.println("ports");
      }
      try (GenericContainer<?> once =
          made()
              .withCommand("sh", "-c", "echo done; exit 0")
              .withTmpFs(Map.of("/scratch", "rw"))
              .withStartupCheckStrategy(new OneShotStartupCheckStrategy().withTimeout(Duration.ofSeconds(20)))) {
        once.start();
        System.out.println("one shot " + once.getLogs().trim());
      }
      try (GenericContainer<?> sick =
          made()
              .withCommand("sh", "-c", "touch /tmp/bad; exec sleep 100")
              .waitingFor(Wait.forHealthcheck().withStartupTimeout(Duration.ofSeconds(3)))) {
        sick.start();
      } catch (ContainerLaunchException error) {
        System.out.println("unhealthy " + error.getMessage());
      }
    }
    System.out.println("stopped");
  }
}
