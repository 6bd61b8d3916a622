# syntax=docker/dockerfile:1

# Builds the function's runtime image with Docker. `make xpkg` builds the same
# image without Docker (tools/xpkg); keep the two alike.

# The version of Go must not be older than the one in go.mod.
ARG GO_VERSION=1.26

# Set up the build environment. BUILDPLATFORM is set by Docker. The --platform
# flag makes Docker build on the OS and architecture of the host, not on those
# that the image is for: Go cross-compiles much faster than QEMU emulates.
FROM --platform=${BUILDPLATFORM} golang:${GO_VERSION} AS build

WORKDIR /fn

# The function does not need cgo. Without it the binary is static, and runs in an
# image that holds nothing else.
ENV CGO_ENABLED=0

# Run go mod download in a step of its own, so that its layer is reused until
# go.mod or go.sum changes.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod \
    go mod download

# TARGETOS and TARGETARCH are set by Docker: they say what the image is for.
ARG TARGETOS
ARG TARGETARCH

# Build the function. The source is mounted and not copied, and the build cache is
# kept between builds. -trimpath and -buildvcs=false keep the build directory and
# the state of the work tree out of the binary, so that the same source always
# gives the same bytes; -s -w leaves out the symbol table and DWARF.
RUN --mount=target=. \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -trimpath -buildvcs=false -ldflags "-s -w" -o /function .

# Produce the runtime image. It needs no CA certificates, no shell and no time
# zone data: the function is called by Crossplane, and calls nobody.
FROM scratch AS image
COPY --from=build /function /function

# Crossplane calls the function on this port.
EXPOSE 9443

# The user and group that Crossplane runs packages as. They are numbers because
# the image has no /etc/passwd, and because the kubelet can only tell that a
# numeric user is not root, as runAsNonRoot demands.
USER 2000:2000

ENTRYPOINT ["/function"]
