import java.io.BufferedInputStream;
import java.io.FileInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.zip.GZIPInputStream;

/**
 * Reads gzip files as a Java program does whose stream can't say what is available, as streams of networks and of
 * object stores: GZIPInputStream then takes the end of the first member for the end of all.
 * Prints for each file: bytes, SHA-256.
 */
public final class ReadWhole {
    private static final class NothingAvailable extends FilterInputStream {
        NothingAvailable(InputStream in) {
            super(in);
        }

        @Override
        public int available() {
            return 0;
        }

        /** One byte at a time: nothing of a second member has been read when the first ends. */
        @Override
        public int read(byte[] buffer, int at, int length) throws IOException {
            return super.read(buffer, at, Math.min(length, 1));
        }
    }

    public static void main(String[] paths) throws Exception {
        for (String path : paths) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            long bytes = 0;
            byte[] buffer = new byte[8192];
            InputStream file = new BufferedInputStream(new FileInputStream(path));
            try (InputStream in = new GZIPInputStream(new NothingAvailable(file))) {
                for (int count; (count = in.read(buffer)) > 0; bytes += count) {
                    digest.update(buffer, 0, count);
                }
            } catch (IOException fault) {
                System.out.println("fault " + fault);
                continue;
            }
            StringBuilder hex = new StringBuilder();
            for (byte octet : digest.digest()) {
                hex.append(String.format("%02x", octet));
            }
            System.out.println(bytes + " " + hex);
        }
    }

    private ReadWhole() {}
}
