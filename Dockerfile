# The product's image from the sources, where Docker is and nothing else: docker build --tag kruise-image .
# `make release` makes the same image without Docker, for two architectures and byte for byte the same each time (docs/release.md).
FROM mcr.microsoft.com/dotnet/sdk:10.0.401 AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends clang cmake lld llvm libssl-dev zlib1g-dev ca-certificates
WORKDIR /source
COPY global.json Directory.Build.props Directory.Packages.props kruise-image.csproj substitutions.xml packages.lock.json .editorconfig BannedSymbols.txt ./
COPY Program.cs ./
COPY Modes Modes
COPY Reconcile Reconcile
COPY Cri Cri
COPY Crds Crds
COPY manifests manifests
# Which commit this is; git is not in the image's sources.
ARG COMMIT=unknown
RUN rid=linux-$(dpkg --print-architecture | sed 's/amd64/x64/') \
 && dotnet publish kruise-image.csproj --configuration Release --runtime $rid --output /publish -p:RestoreLockedMode=true -p:SourceRevisionId=$COMMIT

FROM scratch
COPY --from=build /publish/kruise-image /kruise-image
USER 65532:65532
ENV HOME=/
ENTRYPOINT ["/kruise-image"]
