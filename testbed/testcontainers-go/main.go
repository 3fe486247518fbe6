// A session of testcontainers for Go: what it sees goes to stdout. Played by test/long/clients.test.ts.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/exec"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"
)

const image = "clients:1"

func main() {
	if err := session(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func session(ctx context.Context) error {
	net, err := network.New(ctx)
	if err != nil {
		return err
	}
	web, err := testcontainers.Run(ctx, image,
		testcontainers.WithExposedPorts("80/tcp"),
		testcontainers.WithEnv(map[string]string{"COLOUR": "blue"}),
		testcontainers.WithLabels(map[string]string{"made": "testcontainers-go"}),
		testcontainers.WithFiles(testcontainers.ContainerFile{
			Reader: strings.NewReader("copied"), ContainerFilePath: "/www/copied", FileMode: 0o644,
		}),
		network.WithNetwork([]string{"api"}, net),
		testcontainers.WithWaitStrategy(wait.ForHealthCheck()),
	)
	if err != nil {
		return err
	}
	endpoint, err := web.PortEndpoint(ctx, "80/tcp", "http")
	if err != nil {
		return err
	}
	fmt.Println("healthy", get(endpoint+"/"), get(endpoint+"/copied"))
	state, err := web.State(ctx)
	if err != nil {
		return err
	}
	fmt.Println("state", state.Status, state.Health.Status)
	status, reader, err := web.Exec(ctx, []string{"sh", "-c", "echo $COLOUR; exit 4"}, exec.Multiplexed())
	if err != nil {
		return err
	}
	output, err := io.ReadAll(reader)
	fmt.Println("exec", status, strings.TrimSpace(string(output)), err)
	if err := web.CopyToContainer(ctx, []byte("more"), "/www/more", 0o600); err != nil {
		return err
	}
	file, err := web.CopyFileFromContainer(ctx, "/www/more")
	if err != nil {
		return err
	}
	body, err := io.ReadAll(file)
	fmt.Println("copied", string(body), err)

	client, err := testcontainers.Run(ctx, image,
		testcontainers.WithCmd("sh", "-c", "echo started; sleep 1; echo ready; exec sleep 100"),
		network.WithNetwork(nil, net),
		testcontainers.WithWaitStrategy(wait.ForLog("ready")),
	)
	if err != nil {
		return err
	}
	_, reader, err = client.Exec(ctx, []string{"wget", "-q", "-O", "-", "http://api/"}, exec.Multiplexed())
	if err != nil {
		return err
	}
	output, err = io.ReadAll(reader)
	fmt.Println("network", strings.TrimSpace(string(output)), err)
	logs, err := client.Logs(ctx)
	if err != nil {
		return err
	}
	said := new(bytes.Buffer)
	_, err = said.ReadFrom(logs)
	fmt.Println("logs", strings.Fields(said.String()), err)

	http, err := testcontainers.Run(ctx, image,
		testcontainers.WithExposedPorts("80/tcp"),
		testcontainers.WithWaitStrategy(wait.ForAll(wait.ForHTTP("/").WithPort("80/tcp"), wait.ForListeningPort("80/tcp"))),
	)
	if err != nil {
		return err
	}
	fmt.Println("http and ports")
	once, err := testcontainers.Run(ctx, image,
		testcontainers.WithCmd("sh", "-c", "sleep 0.5; exit 3"),
		testcontainers.WithWaitStrategy(wait.ForExit()),
	)
	if err != nil {
		return err
	}
	state, err = once.State(ctx)
	fmt.Println("exited", state.ExitCode, err)
	sick, err := testcontainers.Run(ctx, image,
		testcontainers.WithWaitStrategy(wait.ForHealthCheck().WithStartupTimeout(3*time.Second)),
		testcontainers.WithCmd("sh", "-c", "touch /tmp/bad; exec sleep 100"),
	)
	fmt.Println("unhealthy", err != nil)
	timeout := time.Duration(0)
	if err := http.Stop(ctx, &timeout); err != nil {
		return err
	}
	if err := http.Start(ctx); err != nil {
		return err
	}
	fmt.Println("started again", http.IsRunning())
	for _, one := range []testcontainers.Container{web, client, http, once, sick} {
		if err := testcontainers.TerminateContainer(one, testcontainers.StopTimeout(0)); err != nil {
			return err
		}
	}
	return net.Remove(ctx)
}

func get(url string) string {
	answer, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1000))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return strings.TrimSpace(string(body))
}
