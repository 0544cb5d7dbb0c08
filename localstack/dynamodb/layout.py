"""layout.py ROOT JARS JAVA_HOME: lays DynamoDB Local out below LocalStack's file system ROOT as LocalStack's own installer
would, out of a folder of JARS and a Java, so that LocalStack regards both as installed and downloads nothing."""

import glob
import os
import sys
import zipfile

# Compiled among the jars.
MAIN = "LoopbackServer"


def link(target, name):
    if os.path.lexists(name):
        os.remove(name)
    os.symlink(target, name)


def manifest_jar(path, attributes):
    """Writes a jar that is a manifest only, whose lines hold at most 72 bytes."""
    text = ""
    for line in ["Manifest-Version: 1.0", *(f"{k}: {v}" for k, v in attributes.items())]:
        text += line[:72] + "\r\n"
        for i in range(72, len(line), 71):
            text += " " + line[i : i + 71] + "\r\n"
    with zipfile.ZipFile(path, "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", text + "\r\n")


def main(root, jars, java_home):
    libs = os.path.join(root, "var/lib/localstack/lib")
    dynamodb = os.path.join(libs, "dynamodb-local/2")
    os.makedirs(dynamodb, exist_ok=True)
    os.makedirs(os.path.join(libs, "java"), exist_ok=True)
    # LocalStack asks for Java 21 and looks only for bin/java in here; DynamoDB Local runs on 17.
    link(java_home, os.path.join(libs, "java/21"))
    # Also -Djava.library.path, for the native SQLite.
    link(jars, os.path.join(dynamodb, "DynamoDBLocal_lib"))
    names = sorted(os.path.basename(j) for j in glob.glob(os.path.join(jars, "*.jar")))
    classpath = " ".join(["DynamoDBLocal_lib/", *("DynamoDBLocal_lib/" + n for n in names)])
    manifest_jar(os.path.join(dynamodb, "DynamoDBLocal.jar"), {"Main-Class": MAIN, "Class-Path": classpath})
    [agent] = glob.glob(os.path.join(jars, "byte-buddy-agent-*.jar"))
    link(agent, os.path.join(dynamodb, "ddb-local-loader-0.1.jar"))


main(*sys.argv[1:])
